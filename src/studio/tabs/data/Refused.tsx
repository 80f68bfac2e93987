// The pictures that were not added, and why.
import { useSignal } from "@preact/signals";
import { act, state } from "../../page/client.ts";
import { onPage, Pages } from "../../page/Pages.tsx";
import { count } from "../../page/words.ts";
import { lastAdded } from "./AddPictures.tsx";

const pageSize = 20;
const kinds = {
  duplicate: "duplicate",
  unreadable: "unreadable",
  name: "invalid name",
  storage: "storage full",
} as const;

export function Refused() {
  const page = useSignal(0);
  const { refused, skipped } = state.data.value;
  if (refused.length === 0) return null;
  const clear = () => {
    lastAdded.value = null; // it points to the list
    void act("data.dismissRefused", {});
  };
  return (
    <section class="card" aria-label="Skipped">
      <div class="heading">
        <h2>
          {count(skipped, "picture")} skipped{skipped > refused.length ? `; the last ${refused.length} are listed` : ""}
        </h2>
        <button type="button" class="plain" onClick={clear}>
          Clear the list
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section class="scroll" aria-label="Skipped pictures, table" tabIndex={0}>
        <table class="wrapping">
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
