// Pictures from the camera: one at a time, or a burst.
import { useSignal } from "@preact/signals";
import { act, state } from "../../page/client.ts";
import { CameraButton } from "../../page/media/CameraButton.tsx";
import { cameraTrouble, pictureOf, stream, useCamera } from "../../page/media/camera.ts";
import { count } from "../../page/words.ts";

const burst = { pictures: 10, every: 300 };

export function Camera() {
  const video = useCamera();
  const name = useSignal("");
  const told = useSignal("");
  const taking = useSignal(false);
  const ready = stream.value !== null && name.value.trim() !== "" && !taking.value && state.activity.value === null;

  const take = async (pictures: number) => {
    taking.value = true;
    try {
      const entries = [];
      for (let n = 0; n < pictures; n++) {
        if (n > 0) await new Promise((resolve) => setTimeout(resolve, burst.every));
        const file = await pictureOf(video.current);
        if (!file) break; // it was stopped meanwhile
        const stamp = new Date().toISOString().slice(0, 23).replace(/[T:]/g, "-");
        entries.push({ person: name.value.trim(), name: `camera ${stamp}.jpg`, file });
        told.value = `${n + 1} of ${pictures} taken`;
      }
      if (entries.length === 0) return;
      const done = await act("data.add", { entries });
      if (done) told.value = `${count(done.added, "picture")} of ${name.value.trim()} added`;
    } finally {
      taking.value = false;
    }
  };
  return (
    <div class="camera">
      <video ref={video} autoplay muted playsInline aria-label="Camera preview" />
      <div class="fields">
        <div class="field">
          <label for="camera-name">Who is it?</label>
          <input
            id="camera-name"
            class="text"
            autocomplete="off"
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value;
            }}
          />
          <p class="hint">Move your head a little between pictures: ten identical ones teach nothing.</p>
        </div>
        <div class="actions">
          <CameraButton />
          <button type="button" disabled={!ready} onClick={() => take(1)}>
            Take a picture
          </button>
          <button type="button" disabled={!ready} onClick={() => take(burst.pictures)}>
            Take {burst.pictures}
          </button>
        </div>
        {cameraTrouble.value && (
          <p class="notice notice-bad" role="alert">
            {cameraTrouble.value}
          </p>
        )}
        <p class="quiet" aria-live="polite">
          {told.value}
        </p>
      </div>
    </div>
  );
}
