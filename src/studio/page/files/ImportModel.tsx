// Asks for a trained model, to evaluate it and to recognize people with it.
import { act, state } from "../client.ts";
import { FileButton } from "./FileButton.tsx";

/** @param taken called with the model's id. */
export function ImportModel({ taken }: { taken?: (id: string) => void }) {
  return (
    <FileButton
      name="Import model"
      accept=".safetensors"
      disabled={state.activity.value !== null}
      take={async (file) => {
        const id = await act("recognize.importModel", { file });
        if (id !== undefined) taken?.(id);
      }}
    />
  );
}
