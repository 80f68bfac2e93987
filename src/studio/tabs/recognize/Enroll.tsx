// Enrolling a person: a name, and a few pictures from files or the camera.
import { type Signal, signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { firstClick, useOnce } from "../../page/clicks.ts";
import { act, state } from "../../page/client.ts";
import { FilePicture } from "../../page/FilePicture.tsx";
import { files } from "../../page/files/files.ts";
import { pictureOf, stream } from "../../page/media/camera.ts";
import { count, isolated } from "../../page/words.ts";

/** Pictures of a burst, and milliseconds between them: time to turn the head a little. */
const burst = { pictures: 5, pause: 400 };

interface Taken {
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
}

let ids = 0;

/** What was entered, kept while other tabs are open. */
const name = signal("");
const taken = signal<readonly Taken[]>([]);

interface Props {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly findFace: Signal<boolean>;
}

export function Enroll({ video, findFace }: Props) {
  const told = useSignal<string | null>(null);
  const refused = useSignal<readonly { name: string; reason: string }[]>([]);
  const bursting = useSignal(false);
  const { once } = useOnce();
  const picker = useRef<HTMLInputElement>(null);
  const busy = state.activity.value !== null;
  const on = stream.value !== null;

  const add = (pictures: readonly { name: string; file: Blob }[]) => {
    taken.value = [...taken.value, ...pictures.map((picture) => ({ id: ids++, ...picture }))];
    told.value = null;
  };
  const takePicture = async () => {
    const file = await pictureOf(video.current);
    if (file) add([{ name: `camera picture ${ids + 1}`, file }]);
  };
  const takeSeveral = async () => {
    bursting.value = true;
    try {
      for (let n = 0; n < burst.pictures && stream.value; n++) {
        if (n > 0) await new Promise((done) => setTimeout(done, burst.pause));
        await takePicture();
      }
    } finally {
      bursting.value = false;
    }
  };
  const enroll = async () => {
    const who = name.value.trim();
    const pictures = taken.value.map(({ name, file }) => ({ name, picture: file }));
    if (who === "" || pictures.length === 0) return;
    const done = await act("recognize.enroll", { name: who, pictures, findFace: findFace.value });
    if (!done) return; // the error is shown, and the pictures stay here
    refused.value = done.refused;
    told.value = done.added > 0 ? `${isolated(who)}: ${count(done.added, "picture")} enrolled.` : null;
    taken.value = [];
    if (done.added > 0) name.value = "";
  };

  return (
    <section class="card">
      <h2>Enroll a person</h2>
      <p class="quiet measure">
        Enter a name and add three or more pictures: with and without glasses, from slightly different angles.
      </p>
      <form
        class="enroll"
        onSubmit={(event) => {
          event.preventDefault();
          void once(enroll);
        }}
      >
        <div class="field">
          <label for="enroll-name">Name</label>
          <input
            id="enroll-name"
            autocomplete="off"
            maxLength={80}
            value={name.value}
            onInput={({ currentTarget }) => {
              name.value = currentTarget.value;
            }}
          />
        </div>
        <div class="actions">
          <button type="button" onClick={() => picker.current?.click()}>
            Choose pictures
          </button>
          <input
            ref={picker}
            type="file"
            class="hidden"
            tabIndex={-1}
            aria-label="Pictures to enroll"
            accept="image/*,.pgm,.ppm"
            multiple
            onChange={({ currentTarget }) => add(files(currentTarget))}
          />
          <button type="button" disabled={!on} onClick={takePicture}>
            Take a picture
          </button>
          <button type="button" disabled={!on || bursting.value} onClick={takeSeveral}>
            Take {burst.pictures}
          </button>
        </div>
        {taken.value.length > 0 && (
          <ul class="tray" aria-label="Pictures to enroll">
            {taken.value.map(({ id, name, file }) => (
              <li key={id}>
                <FilePicture file={file} name={name} />
                <button
                  type="button"
                  class="plain"
                  aria-label={`Remove ${name}`}
                  onClick={firstClick(() => {
                    taken.value = taken.value.filter((one) => one.id !== id);
                  })}
                >
                  Remove
                </button>
              </li>
            ))}
          </ul>
        )}
        <div class="actions">
          <button type="submit" class="primary" disabled={busy || name.value.trim() === "" || taken.value.length === 0}>
            Enroll
          </button>
          <p class="quiet" aria-live="polite">
            {told.value}
          </p>
        </div>
      </form>
      {refused.value.length > 0 && (
        <div class="notice notice-bad" role="alert">
          <ul>
            {refused.value.map(({ name, reason }) => (
              <li key={name}>
                <bdi>{name}</bdi>: {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
