// Asks for a trained model, to evaluate it and to recognize people with it.
import { act, state } from "../client.ts";
import { FileButton } from "./FileButton.tsx";

export function ImportModel() {
  return (
    <FileButton
      name="Import model"
      accept=".safetensors"
      disabled={state.activity.value !== null}
      take={(file) => void act("recognize.importModel", { file })}
    />
  );
}
