// The result of a benchmark.
import type { Benchmark, BenchmarkStep } from "../../messages.ts";
import { duration, percent } from "../../page/words.ts";

const time = (milliseconds: number) =>
  milliseconds < 10 ? `${milliseconds.toFixed(2)} ms` : `${Math.round(milliseconds).toLocaleString("en")} ms`;
const rate = (gflops: number) => `${Number(gflops.toPrecision(3)).toLocaleString("en")} GFLOP/s`;
const small = (error: number) => error.toExponential(1);

export function Result({ benchmark }: { benchmark: Benchmark }) {
  const { correct, checks, peakGflops, steps, left, seconds } = benchmark;
  const wrong = checks.filter(({ error, allowed }) => !(error <= allowed));
  return (
    <div class="stack">
      {correct ? (
        <p class="notice">
          This GPU computes correctly: {checks.length} results agree with double precision on the CPU.
        </p>
      ) : (
        <p class="notice notice-bad">
          {wrong.length} of {checks.length} results are wrong on this GPU. Please save the file and report it.
        </p>
      )}
      <dl class="figures figures-wide">
        {peakGflops !== null && (
          <div>
            <dt>Peak throughput</dt>
            <dd>{rate(peakGflops)}</dd>
            <dd class="note">measured with multiply-adds in registers, float32</dd>
          </div>
        )}
        {steps.map(({ name, milliseconds, gflops, shareOfPeak }) => (
          <div key={name}>
            <dt>Training step {name}</dt>
            <dd>{time(milliseconds)}</dd>
            <dd class="note">
              {rate(gflops)}, {percent(shareOfPeak)} of peak
            </dd>
          </div>
        ))}
      </dl>
      <p class="quiet small">
        Took {duration(seconds)}. {left.length > 0 ? `Skipped for lack of time: ${left.join(", ")}.` : ""}
      </p>
      <details>
        <summary class="small">All comparisons with float64 ({checks.length})</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
        <section class="scroll" aria-label="Comparisons, table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Result</th>
                <th scope="col" class="number">
                  Relative error
                </th>
                <th scope="col" class="number">
                  Allowed
                </th>
              </tr>
            </thead>
            <tbody>
              {checks.map(({ name, error, allowed }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td class="number">{small(error)}</td>
                  <td class="number">{small(allowed)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
      {steps.map((step) => (
        <Kernels key={step.name} step={step} />
      ))}
    </div>
  );
}

function Kernels({ step: { name, description, kernels } }: { step: BenchmarkStep }) {
  if (!kernels) {
    return (
      <p class="quiet small">This GPU does not report the times of single kernels (timestamp-query is missing).</p>
    );
  }
  return (
    <details>
      <summary class="small">
        Kernels of step {name}: {description}
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section class="scroll" aria-label={`Kernels of step ${name}, table`} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Kernel</th>
              <th scope="col" class="number">
                Launches
              </th>
              <th scope="col" class="number">
                Time
              </th>
              <th scope="col" class="number">
                Share
              </th>
              <th scope="col" class="number">
                Share of peak
              </th>
            </tr>
          </thead>
          <tbody>
            {kernels.map(({ name, launches, milliseconds, share, shareOfPeak }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{launches}</td>
                <td class="number">{time(milliseconds)}</td>
                <td class="number">{percent(share)}</td>
                <td class="number">{shareOfPeak === null ? "" : percent(shareOfPeak)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
