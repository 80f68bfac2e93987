// The camera's live picture with an outline for the face, and the identification.
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { act, request, state } from "../../page/client.ts";
import { CameraButton } from "../../page/media/CameraButton.tsx";
import { cameraTrouble, frameOf, stream } from "../../page/media/camera.ts";
import { isolated, likelihood } from "../../page/words.ts";
import { type Answer, Steady } from "./steady.ts";

/** The least time between identified frames, in milliseconds. */
const pause = 150;
/** Longer after an error: the GPU may be recovering. */
const pauseAfterFailure = 1000;

interface Props {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly findFace: Signal<boolean>;
}

export function Live({ video, findFace }: Props) {
  const { people } = state.recognition.value;
  const on = stream.value !== null;
  const anybody = people.length > 0;
  const answer = useSignal<Answer | null>(null);
  const trouble = useSignal<string | null>(null);

  useEffect(() => {
    answer.value = null;
    if (!on || !anybody) return;
    let wanted = true;
    const steady = new Steady();
    const look = async () => {
      const frame = document.hidden ? null : await frameOf(video.current);
      if (!frame) return;
      try {
        const found = await request("recognize.identify", { picture: frame, findFace: findFace.value });
        if (!wanted) return;
        answer.value = steady.add(found);
        trouble.value = null;
      } finally {
        frame.close();
      }
    };
    const follow = async () => {
      while (wanted) {
        let wait = pause;
        await look().catch((error: Error) => {
          if (wanted) trouble.value = error.message;
          wait = pauseAfterFailure;
        });
        await new Promise((done) => setTimeout(done, wait));
      }
    };
    void follow();
    return () => {
      wanted = false;
    };
  }, [on, anybody, video, findFace, answer, trouble]);

  return (
    <section class="card">
      <div class="heading">
        <h2>Camera</h2>
        <div class="actions">
          <CameraButton />
        </div>
      </div>
      {cameraTrouble.value && (
        <p class="notice notice-bad" role="alert">
          {cameraTrouble.value}
        </p>
      )}
      <div class={`viewfinder ${on ? "viewfinder-on" : ""}`}>
        <video ref={video} autoplay muted playsInline aria-label="Camera picture" hidden={!on} />
        <svg class="oval" viewBox="0 0 100 100" aria-hidden="true">
          <ellipse cx="50" cy="50" rx="32" ry="42" />
        </svg>
        {!on && <p class="quiet">The camera is off until you press the button. Its pictures stay on this machine.</p>}
      </div>
      {on && <p class="quiet small">Fill the oval with the face, so that its size is the same each time.</p>}
      <FindFace findFace={findFace} />
      <section aria-label="Who it is" class="verdict">
        {trouble.value ? (
          <p class="notice notice-bad">{trouble.value}</p>
        ) : !anybody ? (
          <p class="quiet">Enroll a person first; then the camera shows who it is.</p>
        ) : !on ? (
          <p class="quiet">Start the camera to see who it is.</p>
        ) : answer.value === null ? (
          <p class="quiet">Looking …</p>
        ) : (
          <Verdict answer={answer.value} />
        )}
        <p class="hidden" aria-live="polite">
          {answer.value === null ? "" : inWords(answer.value)}
        </p>
      </section>
    </section>
  );
}

/** Whether pictures are cropped to the face, and the way to a face finder where there is none. */
function FindFace({ findFace }: { findFace: Signal<boolean> }) {
  const { finder, wantsFaces } = state.recognition.value;
  if (finder) {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={findFace.value}
          onChange={({ currentTarget }) => {
            findFace.value = currentTarget.checked;
          }}
        />
        Find the face in the picture <span class="quiet small">(with {finder})</span>
      </label>
    );
  }
  return (
    <div class="find-face">
      <p class="quiet small">
        {wantsFaces
          ? "This model was trained on aligned faces; without a face finder it errs more often. This browser has none."
          : "This browser has no face finder, so the middle of each picture is used."}
      </p>
      <button type="button" disabled={state.activity.value !== null} onClick={() => act("recognize.loadFinder", {})}>
        Load face finder
      </button>
    </div>
  );
}

export function inWords(answer: Answer): string {
  if (answer === "refused") return "Not a live person";
  if (answer === "no face") return "No face in view";
  return answer.name ?? "Unknown";
}

export function Verdict({ answer }: { answer: Answer }) {
  if (typeof answer === "string") {
    return (
      <>
        <p class="verdict-name">{inWords(answer)}</p>
        {answer === "refused" && (
          <p class="quiet">
            The liveness model takes this for a photo or a screen (presentation attack), so it was not identified.
          </p>
        )}
      </>
    );
  }
  const { name, distance, probability, threshold, candidates } = answer;
  return (
    <>
      <p class={name === null ? "verdict-name quiet" : "verdict-name"}>{inWords(answer)}</p>
      <dl class="figures">
        <div>
          <dt>Distance</dt>
          <dd>{distance.toFixed(3)}</dd>
          <dd class="note">recognized up to {threshold.toFixed(3)} (threshold)</dd>
        </div>
        {probability !== null && (
          <div>
            <dt>Probability</dt>
            <dd>{likelihood(probability)}</dd>
            <dd class="note">that it is {name === null ? isolated(candidates[0].name) : "this person"}</dd>
          </div>
        )}
      </dl>
      {candidates.length > 1 && (
        <p class="quiet small">
          Next best:{" "}
          {candidates
            .slice(1, 4)
            .map(({ name, distance }) => `${isolated(name)} ${distance.toFixed(3)}`)
            .join(", ")}
        </p>
      )}
    </>
  );
}
