// The ways to add pictures.
import { type Signal, signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Added } from "../../messages.ts";
import { act, state } from "../../page/client.ts";
import { startCamera } from "../../page/media/camera.ts";
import { count } from "../../page/words.ts";
import { Camera } from "./Camera.tsx";
import { droppedFiles, pickedFiles, type Sorted, sorted } from "./entries.ts";

/** What "Use drawn faces" adds: enough to train on in a minute or two. */
const drawn = { people: 60, pictures: 8 };

/** What was added last; null after the list of skipped pictures was cleared. */
export const lastAdded = signal<string | null>(null);

export async function add({ entries, records, note }: Sorted, told: Signal<string | null>): Promise<void> {
  told.value = note;
  const done = [
    entries.length > 0 && (await act("data.add", { entries })),
    records.length > 0 && (await act("data.addRecords", { files: records })),
  ].filter((one) => typeof one === "object");
  if (done.length > 0) told.value = [inWords(done), note].filter(Boolean).join(" ");
}

function inWords(done: readonly Added[]): string {
  const sum = (of: (one: Added) => number) => done.reduce((total, one) => total + of(one), 0);
  const [added, refused] = [sum((one) => one.added), sum((one) => one.refused)];
  return `${count(added, "picture")} added.${refused > 0 ? ` ${count(refused, "was", "were")} skipped; the list below says why.` : ""}`;
}

export function AddPictures() {
  const over = useSignal(false);
  const told = lastAdded;
  const camera = useSignal(false);
  const folder = useRef<HTMLInputElement>(null);
  const records = useRef<HTMLInputElement>(null);
  const busy = state.activity.value !== null || state.data.value.kept !== true;
  const empty = state.data.value.people.length === 0;

  const drop = async (event: DragEvent) => {
    event.preventDefault();
    over.value = false;
    if (busy || !event.dataTransfer) return;
    try {
      await add(sorted(await droppedFiles(event.dataTransfer.items)), told);
    } catch (error) {
      told.value = `What was dropped could not be read: ${(error as Error).message}`; // it was moved, or may not be read
    }
  };
  const picked = async (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const files = pickedFiles(input.files ?? []);
    input.value = ""; // so that the same folder can be chosen again
    if (files.length > 0) await add(sorted(files), told);
  };
  return (
    <section
      class={over.value ? "drop over" : "drop"}
      aria-label="Add pictures"
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={drop}
    >
      <div class="measure">
        <h2>{empty ? "Whose faces should it learn?" : "Add more pictures"}</h2>
        <p class="quiet">
          Drop folders here: one folder per person, with a few pictures in each. Four people with four pictures each are
          enough to start; forty are better. Nothing is uploaded: the pictures stay in this browser.
        </p>
      </div>
      <div class="actions">
        <button
          type="button"
          class={empty ? "primary" : undefined}
          disabled={busy}
          onClick={async () => {
            told.value = null;
            const done = await act("data.draw", drawn);
            if (!done) return;
            told.value = done.added === 0 && done.refused === 0 ? "The drawn faces are here already." : inWords([done]);
          }}
        >
          Use drawn faces
        </button>
        <button type="button" disabled={busy} onClick={() => folder.current?.click()}>
          Add folder
        </button>
        <button
          type="button"
          aria-expanded={camera.value}
          onClick={() => {
            camera.value = !camera.value;
            if (camera.value) void startCamera();
          }}
        >
          Use the camera
        </button>
        <button type="button" class="plain" disabled={busy} onClick={() => records.current?.click()}>
          Add TFRecord files
        </button>
        <input
          ref={folder}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-label="Folder with pictures"
          multiple
          {...{ webkitdirectory: true }}
          onChange={picked}
        />
        <input
          ref={records}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-label="TFRecord files"
          multiple
          onChange={async (event) => {
            const input = event.currentTarget;
            const files = [...(input.files ?? [])];
            input.value = "";
            if (files.length > 0) await add({ entries: [], records: files, note: null }, told);
          }}
        />
      </div>
      <Progress />
      {told.value && !busy && <p>{told.value}</p>}
      {camera.value && <Camera />}
    </section>
  );
}

function Progress() {
  const activity = state.activity.value;
  if (!activity?.total) return null;
  return <progress aria-label={activity.text} value={activity.done ?? 0} max={activity.total} />;
}
