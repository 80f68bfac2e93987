// Enrolling people, and recognizing them live.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { act, state } from "../../page/client.ts";
import { ImportModel } from "../../page/files/ImportModel.tsx";
import { useCamera } from "../../page/media/camera.ts";
import { openTab } from "../../page/TabList.tsx";
import { Enroll } from "./Enroll.tsx";
import { Live } from "./Live.tsx";
import { ModelCard } from "./ModelCard.tsx";
import { OnePicture } from "./OnePicture.tsx";
import { People } from "./People.tsx";

export function RecognizeTab() {
  const { model } = state.recognition.value;
  const models = state.runs.value.filter(({ hasModel }) => hasModel).length + state.imported.value.length;
  const opened = useSignal(false);
  const findFace = useSignal(true);
  const video = useCamera();
  // Opens a model again when the first one appears or the last one is removed.
  useEffect(() => {
    void act("recognize.open", {}).then(() => {
      opened.value = true;
    });
  }, [models > 0, opened]);
  if (!opened.value) return <p class="quiet">Opening the model …</p>;
  if (!model && models > 0) {
    return (
      <>
        <p>This model could not be opened. Choose another one.</p>
        <ModelCard />
      </>
    );
  }
  if (!model) {
    return (
      <section class="card">
        <h2>No model yet</h2>
        <p class="measure">
          Train a network, or import a trained model. Then a few pictures are enough to recognize a person, even one who
          was not in the training data.
        </p>
        <div class="actions">
          <button type="button" onClick={() => openTab("train")}>
            Go to training
          </button>
          <ImportModel />
        </div>
      </section>
    );
  }
  return (
    <>
      <div class="columns">
        <Live video={video} findFace={findFace} />
        <div class="stack">
          <Enroll video={video} findFace={findFace} />
          <OnePicture findFace={findFace.value} />
        </div>
      </div>
      <People />
      <ModelCard />
    </>
  );
}
