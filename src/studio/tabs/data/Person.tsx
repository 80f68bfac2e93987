// One person, opened: all pictures, the name, and whether held out.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { PersonSummary, PictureSummary } from "../../messages.ts";
import { Confirm } from "../../page/Confirm.tsx";
import { act, request, state } from "../../page/client.ts";
import { Thumbnail } from "../../page/media/Thumbnail.tsx";
import { onPage, Pages } from "../../page/Pages.tsx";
import { isolated } from "../../page/words.ts";
import { add } from "./AddPictures.tsx";
import { pickedFiles, sorted } from "./entries.ts";

const pageSize = 48;

interface Props {
  readonly person: PersonSummary;
  readonly close: () => void;
  /** Called before the person gets another name. */
  readonly renaming: () => void;
}

export function Person({ person, close, renaming }: Props) {
  const { id, name, heldOut, unsorted } = person;
  const pictures = useSignal<readonly PictureSummary[]>([]);
  const page = useSignal(0);
  const told = useSignal<string | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { data } = state;
  useEffect(() => {
    request("data.pictures", { person: id }).then(
      (found) => {
        pictures.value = found;
      },
      () => undefined, // removed in the meantime, which also closes it
    );
  }, [id, data.value]);

  const rename = async (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const typed = input.value.trim();
    if (typed !== "" && typed !== name) {
      renaming();
      await act("data.rename", { person: id, name: input.value });
    }
    input.value = data.value.people.find((one) => one.id === id)?.name ?? name;
    input.scrollIntoView({ block: "nearest" });
    if (document.activeElement === document.body) input.focus(); // it was lost when the list's order changed
  };
  return (
    <li class="person person-open" onKeyDown={({ key }) => key === "Escape" && close()}>
      <div class="heading">
        <div class="field">
          <label for={`name-${id}`}>Name</label>
          <input id={`name-${id}`} class="text" autocomplete="off" defaultValue={name} onChange={rename} />
        </div>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </div>
      {unsorted ? (
        <p class="quiet measure">
          It is not known who these pictures show, so nothing trains on them. Add their folders again, and each moves to
          its person. If they all show the same person, enter the name.
        </p>
      ) : (
        <label class="check">
          <input
            type="checkbox"
            checked={heldOut}
            onChange={(event) => act("data.holdOut", { person: id, heldOut: event.currentTarget.checked })}
          />
          <span>Held out: never trained on, to test how well the network works for new faces</span>
        </label>
      )}
      <ul class="thumbs-large">
        {onPage(pictures.value, page.value, pageSize).map((picture) => (
          <li key={picture.id}>
            <figure>
              <Thumbnail picture={picture.id} name={`${name}, ${picture.name}`} />
              <figcaption>
                <span title={picture.name}>{picture.name}</span>
                <Confirm
                  quiet
                  label="×"
                  name={`Remove ${picture.name}`}
                  question={`Remove ${isolated(picture.name)} of ${isolated(name)}?`}
                  yes="Remove"
                  onYes={() => act("data.removePicture", { person: id, picture: picture.id })}
                />
              </figcaption>
            </figure>
          </li>
        ))}
      </ul>
      <Pages page={page} total={pictures.value.length} size={pageSize} what="pictures" />
      {told.value && <p>{told.value}</p>}
      <div class="actions">
        <button type="button" onClick={() => picker.current?.click()}>
          Add pictures
        </button>
        <input
          ref={picker}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-label={`Pictures of ${name}`}
          accept="image/*,.pgm,.ppm"
          multiple
          onChange={async (event) => {
            const input = event.currentTarget;
            const files = pickedFiles(input.files ?? []);
            input.value = "";
            if (files.length > 0) await add(sorted(files, name), told);
          }}
        />
        <Confirm
          label="Remove this person"
          question={`Remove ${isolated(name)} and all pictures?`}
          yes="Remove"
          onYes={() => act("data.removePeople", { people: [id] })}
        />
      </div>
    </li>
  );
}
