// What was left out, and why.
import { useSignal } from "@preact/signals";
import { act, state } from "../../page/client.ts";
import { onPage, Pages } from "../../page/Pages.tsx";
import { count } from "../../page/words.ts";

const pageSize = 20;
const kinds = {
  duplicate: "the same picture twice",
  unreadable: "cannot be read",
  name: "name cannot be read",
  storage: "no room",
} as const;

export function Refused() {
  const page = useSignal(0);
  const { refused } = state.data.value;
  if (refused.length === 0) return null;
  return (
    <section class="card" aria-label="Left out">
      <div class="heading">
        <h2>{count(refused.length, "picture")} left out</h2>
        <button type="button" class="plain" onClick={() => act("data.dismissRefused", {})}>
          Clear the list
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section class="scroll" aria-label="Pictures that were left out, table" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Person</th>
              <th scope="col">Picture</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {onPage(refused, page.value, pageSize).map(({ id, person, name, why, reason }) => (
              <tr key={id}>
                <td>{person}</td>
                <td>{name}</td>
                <td>
                  <strong>{kinds[why]}</strong>: {reason}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Pages page={page} total={refused.length} size={pageSize} what="pictures" />
    </section>
  );
}
