// The Data tab: add, inspect and sort the pictures.

import { Confirm } from "../../page/Confirm.tsx";
import { act, state } from "../../page/client.ts";
import { forgetKept } from "../../page/kept.ts";
import { forgetThumbnails } from "../../page/media/Thumbnail.tsx";
import { isUnderWay } from "../../page/status.ts";
import { openTab } from "../../page/TabList.tsx";
import { bytes } from "../../page/words.ts";
import { withoutUnsorted } from "../../worker/data/people.ts";
import { AddPictures } from "./AddPictures.tsx";
import { People } from "./People.tsx";
import { Refused } from "./Refused.tsx";

export function DataTab() {
  const { kept } = state.data.value;
  const { problem } = state.storage.value;
  return (
    <>
      {kept !== true && (
        <p class="notice notice-bad" role="alert">
          Nothing can be added: {kept}. Allow site data for this page, or leave private browsing.
        </p>
      )}
      {problem && (
        <p class="notice notice-bad" role="alert">
          Not everything could be saved: {problem}.
        </p>
      )}
      <AddPictures />
      {state.data.value.people.length === 0 && <HowItWorks />}
      <Summary />
      <Refused />
      <People />
      <Stored />
    </>
  );
}

function HowItWorks() {
  return (
    <section aria-label="How it works">
      <ul class="steps">
        <li>
          <h2>Show it faces</h2>
          <p class="quiet">Your own, from folders or the camera, or drawn ones to try it out.</p>
        </li>
        <li>
          <h2>Watch it learn</h2>
          <p class="quiet">
            A network learns, on your own GPU, which pictures show the same person. Some people are held out to test it.
          </p>
        </li>
        <li>
          <h2>Be recognized</h2>
          <p class="quiet">Show it a face once, even one it never trained on, and it recognizes it in the camera.</p>
        </li>
      </ul>
    </section>
  );
}

function Summary() {
  const { pictures, tooLittle } = state.data.value;
  if (pictures === 0) return null;
  const people = withoutUnsorted(state.data.value.people);
  const heldOut = people.filter((person) => person.heldOut).length;
  return (
    <section class="card" aria-label="Summary">
      <dl class="figures">
        <div>
          <dt>People (identities)</dt>
          <dd>{people.length}</dd>
        </div>
        <div>
          <dt>Pictures</dt>
          <dd>{pictures}</dd>
        </div>
        <div>
          <dt>People to train on</dt>
          <dd>{people.length - heldOut}</dd>
        </div>
        <div>
          <dt>Held-out people, for testing</dt>
          <dd>{heldOut}</dd>
        </div>
      </dl>
      <p class="quiet measure">
        {heldOut > 1
          ? "The network never trains on held-out people, so its results on them show how well it works for new faces. Open a person to change this."
          : "With fewer than two held-out people, training cannot be evaluated. With four people or more, one in five is held out automatically, and at least two."}
      </p>
      <div class="actions">
        <button type="button" class="primary" disabled={tooLittle !== null} onClick={() => openTab("train")}>
          Continue to training
        </button>
        {tooLittle && <p>{tooLittle}</p>}
      </div>
    </section>
  );
}

function Stored() {
  const { used, quota } = state.storage.value;
  const underWay = isUnderWay(state.training.value.status);
  const nothing = state.data.value.people.length === 0 && state.runs.value.length === 0;
  if (nothing) return null;
  return (
    <section class="heading" aria-label="Storage">
      <p class="quiet small measure">
        Pictures, runs and models are stored in this browser, on this machine, until you delete them
        {used !== null && quota !== null && ` (${bytes(used)} of ${bytes(quota)} used)`}.
      </p>
      <Confirm
        label="Delete everything"
        question={`${underWay ? "Stop the run in training, and delete" : "Delete"} all pictures, runs, models and enrolled people?`}
        yes="Yes, delete all"
        disabled={state.activity.value !== null}
        onYes={() => {
          forgetKept();
          void act("data.deleteEverything", {}).then(forgetThumbnails);
        }}
      />
    </section>
  );
}
