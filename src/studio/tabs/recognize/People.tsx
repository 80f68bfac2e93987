// The enrolled people, and their gallery as a file.
import { useSignal } from "@preact/signals";
import type { Output } from "../../messages.ts";
import { Confirm } from "../../page/Confirm.tsx";
import { act, state } from "../../page/client.ts";
import { FileButton } from "../../page/files/FileButton.tsx";
import { save } from "../../page/save.ts";
import { count, isolated } from "../../page/words.ts";

function importInWords(
  file: string,
  { people, pictures, duplicates, withoutPicture }: Output<"recognize.importGallery">,
): string {
  const sentences = [`${count(pictures, "picture")} of ${count(people, "person", "people")} imported from ${file}.`];
  if (duplicates > 0) sentences.push(`${count(duplicates, "picture")} left out: duplicates.`);
  if (withoutPicture > 0) {
    sentences.push(`${count(withoutPicture, "person", "people")} shown without a picture: galleries contain none.`);
  }
  return sentences.join(" ");
}

export function People() {
  const { people, model } = state.recognition.value;
  const told = useSignal<string | null>(null);
  const exportGallery = async () => {
    const done = await act("recognize.exportGallery", {});
    if (done) save(done.file, done.name);
  };
  const importGallery = async (file: File) => {
    told.value = null;
    const done = await act("recognize.importGallery", { file });
    if (done) told.value = importInWords(file.name, done);
  };
  return (
    <section class="card">
      <div class="heading">
        <h2>Enrolled people</h2>
        <p class="quiet">{count(people.length, "person", "people")} in the gallery</p>
      </div>
      {people.length === 0 ? (
        <p class="quiet measure">
          Nobody yet. A person is stored as a few lists of numbers (embeddings) and one small picture, on this machine,
          until you forget them or delete everything.
        </p>
      ) : (
        <ul class="people">
          {people.map(({ name, pictures, cover }) => (
            <li key={name} class="person known">
              {cover ? <img class="thumb" src={cover} alt="" /> : <span class="thumb" />}
              <div>
                <h3>{name}</h3>
                <p class="quiet small">{count(pictures, "picture")}</p>
              </div>
              <Confirm
                quiet
                label="Forget"
                name={`Forget ${name}`}
                question={`Forget ${isolated(name)}?`}
                yes="Yes, forget"
                onYes={() => act("recognize.forget", { name })}
              />
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <button type="button" disabled={people.length === 0} onClick={exportGallery}>
          Export gallery
        </button>
        <FileButton name="Import gallery" accept=".json,application/json" disabled={!model} take={importGallery} />
        <p class="quiet" aria-live="polite">
          {told.value}
        </p>
      </div>
    </section>
  );
}
