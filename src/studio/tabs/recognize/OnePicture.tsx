// Identifies the person in a picture file.
import { useSignal } from "@preact/signals";
import { useOnce } from "../../page/clicks.ts";
import { act, state } from "../../page/client.ts";
import { FilePicture } from "../../page/FilePicture.tsx";
import { FileButton } from "../../page/files/FileButton.tsx";
import { Verdict } from "./Live.tsx";
import type { Answer } from "./steady.ts";

export function OnePicture({ findFace }: { findFace: boolean }) {
  const found = useSignal<{ file: File; answer: Answer } | null>(null);
  const { busy: working, once } = useOnce();
  const anybody = state.recognition.value.people.length > 0;
  const identify = async (file: File) => {
    found.value = null;
    const answer = await act("recognize.identify", { picture: file, findFace }, file.name);
    if (answer) found.value = { file, answer };
  };
  return (
    <section class="card">
      <div class="heading">
        <h2>Identify from a file</h2>
        <FileButton
          name="Identify a picture"
          accept="image/*,.pgm,.ppm"
          disabled={!anybody || working.value}
          take={(file) => once(() => identify(file))}
        />
      </div>
      <section aria-label="Who is on the picture" class="verdict" aria-live="polite" aria-busy={working.value}>
        {working.value ? (
          <div class="progress">
            <p>{findFace ? "Finding the face and identifying the person" : "Identifying the person"}</p>
            <progress aria-label="Identification" />
          </div>
        ) : found.value ? (
          <div class="one-picture">
            <FilePicture file={found.value.file} name={found.value.file.name} />
            <div class="verdict">
              <Verdict answer={found.value.answer} />
            </div>
          </div>
        ) : (
          <p class="quiet">{anybody ? "Choose a picture to see who it shows." : "Enroll a person first."}</p>
        )}
      </section>
    </section>
  );
}
