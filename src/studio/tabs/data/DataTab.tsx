// Who there is to learn from: adding, looking, sorting out.
import { act, state } from "../../page/client.ts";
import { openTab } from "../../page/TabList.tsx";
import { count } from "../../page/words.ts";

/** What "Use drawn faces" makes: enough to learn from in a minute or two. */
const drawn = { people: 60, pictures: 8 };

export function DataTab() {
  const { people, pictures, tooLittle } = state.data.value;
  const busy = state.activity.value !== null;
  return (
    <>
      <section class="actions">
        <button type="button" class="primary" disabled={busy} onClick={() => act("data.draw", drawn)}>
          Use drawn faces
        </button>
      </section>
      <p>
        {count(people.length, "person", "people")}, {count(pictures, "picture")}
      </p>
      {tooLittle === null && (
        <button type="button" onClick={() => openTab("train")}>
          Go on to training
        </button>
      )}
    </>
  );
}
