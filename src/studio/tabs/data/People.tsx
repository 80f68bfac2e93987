// All people, paginated, with a few pictures of each.
import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { PersonSummary } from "../../messages.ts";
import { state } from "../../page/client.ts";
import { Thumbnail } from "../../page/media/Thumbnail.tsx";
import { onPage, Pages } from "../../page/Pages.tsx";
import { count } from "../../page/words.ts";
import { Person } from "./Person.tsx";

const pageSize = 24;

export function People() {
  const page = useSignal(0);
  const wanted = useSignal("");
  const open = useSignal<string | null>(null);
  const found = useComputed(() => {
    const text = wanted.value.trim().toLowerCase();
    return state.data.value.people.filter(({ name }) => name.toLowerCase().includes(text));
  });
  const { people } = state.data.value;
  if (people.length === 0) return null;
  return (
    <section class="panel-part" aria-label="People">
      <div class="heading">
        <h2>People</h2>
        {people.length > pageSize && (
          <div>
            <label class="hidden" for="find-person">
              Find a person
            </label>
            <input
              id="find-person"
              class="text"
              type="search"
              placeholder="Find a person"
              value={wanted.value}
              onInput={(event) => {
                wanted.value = event.currentTarget.value;
                page.value = 0;
              }}
            />
          </div>
        )}
      </div>
      <ul class="people">
        {onPage(found.value, page.value, pageSize).map((person) =>
          person.id === open.value ? (
            <Person key={person.id} person={person} close={() => closeTo(open, person.id)} />
          ) : (
            <Card key={person.id} person={person} open={open} />
          ),
        )}
      </ul>
      <Pages page={page} total={found.value.length} size={pageSize} what="people" />
    </section>
  );
}

/** Closes the person, and returns the focus to the button that opened it. */
function closeTo(open: Signal<string | null>, person: string): void {
  open.value = null;
  requestAnimationFrame(() => document.getElementById(`open-${person}`)?.focus());
}

function Card({ person, open }: { person: PersonSummary; open: Signal<string | null> }) {
  const { id, name, pictures, heldOut, covers, problem } = person;
  return (
    <li class="person">
      <div class="heading">
        <h3 title={name}>{name}</h3>
        {heldOut && <span class="tag">held out</span>}
      </div>
      <div class="thumbs">
        {covers.slice(0, 4).map((picture) => (
          <Thumbnail key={picture} picture={picture} name="" />
        ))}
      </div>
      <div class="heading">
        <span class="quiet small">{problem ?? count(pictures, "picture")}</span>
        <button
          type="button"
          class="plain"
          id={`open-${id}`}
          aria-label={`Open ${name}`}
          onClick={() => {
            open.value = id;
          }}
        >
          Open
        </button>
      </div>
    </li>
  );
}
