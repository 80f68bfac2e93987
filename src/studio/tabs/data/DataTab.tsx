// Who there is to learn from: adding, looking, sorting out.

import { Confirm } from "../../page/Confirm.tsx";
import { act, state } from "../../page/client.ts";
import { openTab } from "../../page/TabList.tsx";
import { bytes } from "../../page/words.ts";
import { AddPictures } from "./AddPictures.tsx";
import { People } from "./People.tsx";
import { Refused } from "./Refused.tsx";

export function DataTab() {
  const { kept } = state.data.value;
  const { problem } = state.storage.value;
  return (
    <>
      {kept !== true && <p class="notice notice-bad">What you add is gone when this page is closed: {kept}.</p>}
      {problem && (
        <p class="notice notice-bad" role="alert">
          Not everything could be kept: {problem}.
        </p>
      )}
      <AddPictures />
      {state.data.value.people.length === 0 && <HowItGoes />}
      <Summary />
      <Refused />
      <People />
      <Keeping />
    </>
  );
}

function HowItGoes() {
  return (
    <section aria-label="How it goes">
      <ul class="steps">
        <li>
          <h2>Show it faces</h2>
          <p class="quiet">Yours, from folders or the camera, or drawn ones to try it out.</p>
        </li>
        <li>
          <h2>Watch it learn</h2>
          <p class="quiet">
            A network learns on your own GPU which pictures show the same person. Some people are kept back to test it.
          </p>
        </li>
        <li>
          <h2>Be recognized</h2>
          <p class="quiet">Show it a face once, also one it never trained on, and it tells who is before the camera.</p>
        </li>
      </ul>
    </section>
  );
}

function Summary() {
  const { people, pictures, tooLittle } = state.data.value;
  if (people.length === 0) return null;
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
          <dt>Trained on</dt>
          <dd>{people.length - heldOut}</dd>
        </div>
        <div>
          <dt>Held out for the test</dt>
          <dd>{heldOut}</dd>
        </div>
      </dl>
      <p class="quiet measure">
        {heldOut > 1
          ? "The people held out are never trained on. How well their pictures are told apart shows what the network makes of strangers, and not what it has learnt by heart. Open a person to change sides."
          : "With fewer than two people held out nothing can be measured while it trains. From four people on, a fifth is held out by itself."}
      </p>
      <div class="actions">
        <button type="button" class="primary" disabled={tooLittle !== null} onClick={() => openTab("train")}>
          Go on to training
        </button>
        {tooLittle && <p>{tooLittle}</p>}
      </div>
    </section>
  );
}

function Keeping() {
  const { used, quota } = state.storage.value;
  const nothing = state.data.value.people.length === 0 && state.runs.value.length === 0;
  if (nothing) return null;
  return (
    <section class="heading" aria-label="What is kept">
      <p class="quiet small measure">
        Pictures, runs and models are kept by this browser, on this machine, until you delete them
        {used !== null && quota !== null && `: ${bytes(used)} of the ${bytes(quota)} it grants`}.
      </p>
      <Confirm
        label="Delete everything"
        question="Delete all pictures, runs and models?"
        yes="Yes, delete all"
        onYes={() => act("data.deleteEverything", {})}
      />
    </section>
  );
}
