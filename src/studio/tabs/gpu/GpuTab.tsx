// This machine's GPU: a description, a correctness check and a benchmark.
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Benchmark, GpuDescription } from "../../messages.ts";
import { act, request, state, trouble } from "../../page/client.ts";
import { save } from "../../page/save.ts";
import { isUnderWay } from "../../page/status.ts";
import { Result } from "./Result.tsx";

/** The last result, kept while other tabs are open. */
const result = signal<Benchmark | null>(null);
const running = signal(false);
const canceling = signal(false);

export function GpuTab() {
  const gpu = useSignal<GpuDescription | null>(null);
  const device = state.device.value;
  const ready = device.status === "ready";
  useEffect(() => {
    if (!ready) return;
    void act("gpu.describe", {}).then((found) => {
      gpu.value = found ?? null;
    });
  }, [ready, gpu]);
  if (!ready) return <p class="quiet">No GPU is available.</p>;
  const { activity, training } = { activity: state.activity.value, training: state.training.value };
  const trains = isUnderWay(training.status);
  const run = async () => {
    running.value = true;
    canceling.value = false;
    trouble.value = null;
    try {
      result.value = await request("gpu.benchmark", {});
    } catch (error) {
      if (!canceling.value) trouble.value = (error as Error).message;
    } finally {
      running.value = false;
    }
  };
  const cancel = () => {
    canceling.value = true;
    void act("gpu.cancel", {});
  };
  return (
    <>
      <section class="card">
        <h2>{device.name}</h2>
        {device.software && (
          <p class="notice">
            This is a software adapter: it computes on the CPU. Everything works, but many times slower than on a GPU.
          </p>
        )}
        {gpu.value && <Adapter gpu={gpu.value} />}
      </section>
      <section class="card">
        <div class="heading">
          <h2>Benchmark</h2>
          <div class="actions">
            {result.value && (
              <button
                type="button"
                onClick={() =>
                  save(
                    new Blob([`${JSON.stringify(result.value, null, 2)}\n`], { type: "application/json" }),
                    "twingrad-benchmark.json",
                  )
                }
              >
                Save as JSON
              </button>
            )}
            {running.value ? (
              <button type="button" disabled={canceling.value} onClick={cancel}>
                Cancel
              </button>
            ) : (
              <button type="button" class="primary" disabled={activity !== null || trains} onClick={run}>
                Run benchmark
              </button>
            )}
          </div>
        </div>
        <p class="quiet measure">
          Takes at most two minutes. It first compares results with double precision (float64) on the CPU, then times
          training steps of two networks. The saved file names your GPU and browser but contains no pictures: attach it
          to a bug report.
        </p>
        {trains && <p class="quiet">A network is training: pause it first, or both will be slow.</p>}
        {running.value && (
          <div class="progress">
            <p>{canceling.value ? "Canceling after the current step" : (activity?.text ?? "Starting")}</p>
            <progress aria-label="Benchmark" max={activity?.total ?? 1} value={activity?.done ?? 0} />
          </div>
        )}
        {result.value && <Result benchmark={result.value} />}
      </section>
    </>
  );
}

function Adapter({ gpu: { adapter, limits, features } }: { gpu: GpuDescription }) {
  const shown = [
    ["Vendor", adapter.vendor],
    ["Architecture", adapter.architecture],
    ["Description", adapter.description],
  ].filter(([, value]) => value);
  return (
    <>
      <dl class="figures figures-wide">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>Largest buffer</dt>
          <dd>{inUnits("maxBufferSize", limits.maxBufferSize)}</dd>
        </div>
      </dl>
      <details>
        <summary class="small">Limits ({Object.keys(limits).length})</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
        <section class="scroll" aria-label="Limits, table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Limit</th>
                <th scope="col" class="number">
                  Value
                </th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(limits).map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td class="number">{inUnits(name, value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
      <details>
        <summary class="small">Features ({features.length})</summary>
        <p class="features">{features.length > 0 ? features.join(", ") : "none"}</p>
      </details>
    </>
  );
}

function inUnits(name: string, value: number): string {
  if (!/Size$/.test(name) || /WorkgroupSize/.test(name) || value < 1024) return value.toLocaleString("en");
  const power = Math.min(3, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 1024 ** power).toPrecision(4))} ${["", "KiB", "MiB", "GiB"][power]}`;
}
