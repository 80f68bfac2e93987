// Preview of the augmentation on a few pictures, before training.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Output } from "../../messages.ts";
import { request, state } from "../../page/client.ts";
import { settings } from "./settings.ts";

const shown = 10;

export function Preview() {
  const open = useSignal(false);
  const seed = useSignal(1);
  const made = useSignal<Output<"train.preview"> | null>(null);
  const problem = useSignal<string | null>(null);
  const { augmentation, imageSize } = settings.value;
  const { pictures } = state.data.value;
  useEffect(() => {
    if (!open.value || pictures === 0) return;
    let wanted = true;
    request("train.preview", { augmentation, imageSize, count: shown, seed: seed.value }).then(
      (preview) => {
        if (wanted) made.value = preview;
        problem.value = null;
      },
      (error: Error) => {
        problem.value = error.message;
      },
    );
    return () => {
      wanted = false;
    };
  }, [open.value, augmentation, imageSize, seed.value, pictures, made, open, problem, seed]);
  return (
    <details
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>Preview augmented pictures</summary>
      {pictures === 0 && <p class="quiet">There are no pictures yet.</p>}
      {problem.value && <p>{problem.value}</p>}
      {made.value && (
        <div class="fields">
          <ul class="preview">
            {made.value.pictures.map((pixels, index) => (
              <li key={index}>
                <Pixels pixels={pixels} side={made.value!.side} name={`Augmented picture ${index + 1}`} />
              </li>
            ))}
          </ul>
          <div class="actions">
            <button
              type="button"
              onClick={() => {
                seed.value++;
              }}
            >
              Show others
            </button>
          </div>
        </div>
      )}
    </details>
  );
}

function Pixels({ pixels, side, name }: { pixels: Uint8ClampedArray<ArrayBuffer>; side: number; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(pixels, side, side), 0, 0);
  }, [pixels, side]);
  return <canvas ref={canvas} width={side} height={side} role="img" aria-label={name} />;
}
