// All people, paginated, with a few pictures of each.
import { type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { PersonSummary } from "../../messages.ts";
import { Confirm } from "../../page/Confirm.tsx";
import { act, state } from "../../page/client.ts";
import { Thumbnail } from "../../page/media/Thumbnail.tsx";
import { onPage, Pages } from "../../page/Pages.tsx";
import { count } from "../../page/words.ts";
import { isDrawnName } from "./drawn.ts";
import { Person } from "./Person.tsx";

const pageSize = 24;

export function People() {
  const page = useSignal(0);
  const wanted = useSignal("");
  const open = useSignal<string | null>(null);
  /** A person renamed while open, who stays in the list of a search for the old name. */
  const renamed = useSignal<string | null>(null);
  const found = useComputed(() => {
    const text = wanted.value.trim().toLowerCase();
    return state.data.value.people.filter(({ id, name }) => id === renamed.value || name.toLowerCase().includes(text));
  });
  // The open person stays in view when the list's order changes, for instance by a new name.
  const place = useRef(-1);
  useSignalEffect(() => {
    const [before, now] = [place.current, found.value.findIndex(({ id }) => id === open.value)];
    place.current = now;
    const inView = before >= 0 && Math.floor(before / pageSize) === page.peek();
    if (inView && now >= 0) page.value = Math.floor(now / pageSize);
  });
  // People who were added come into view, unless the user works on somebody.
  const known = useRef<ReadonlySet<string>>(new Set());
  useSignalEffect(() => {
    const newcomer = found.value.findIndex(({ id }) => !known.current.has(id));
    const first = known.current.size === 0;
    known.current = new Set(state.data.value.people.map(({ id }) => id));
    if (newcomer >= 0 && !first && open.peek() === null && wanted.peek() === "")
      page.value = Math.floor(newcomer / pageSize);
  });
  const { people } = state.data.value;
  if (people.length === 0) return null;
  const drawn = people.filter(({ name }) => isDrawnName(name)).map(({ id }) => id);
  return (
    <section class="panel-part" aria-label="People">
      <div class="heading">
        <h2>People</h2>
        {drawn.length > 0 && drawn.length < people.length && (
          <Confirm
            quiet
            label="Remove drawn people"
            question={`Remove ${count(drawn.length, "drawn person", "drawn people")} and their pictures?`}
            yes="Remove"
            onYes={() => act("data.removePeople", { people: drawn })}
          />
        )}
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
                renamed.value = null;
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
            <Person
              key={person.id}
              person={person}
              close={() => closeTo(open, person.id)}
              renaming={() => {
                renamed.value = person.id;
              }}
            />
          ) : (
            <Card key={person.id} person={person} open={open} />
          ),
        )}
      </ul>
      {found.value.length === 0 && <p class="quiet">Nobody's name contains “{wanted.value.trim()}”.</p>}
      <Pages page={page} total={found.value.length} size={pageSize} what="people" />
    </section>
  );
}

/** Opens the person, with the focus on the name: only here, since a search may show an open person again. */
function openTo(open: Signal<string | null>, person: string): void {
  open.value = person;
  requestAnimationFrame(() => document.getElementById(`name-${person}`)?.focus());
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
          onClick={() => openTo(open, id)}
        >
          Open
        </button>
      </div>
    </li>
  );
}
