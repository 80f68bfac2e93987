// A button for actions that cannot be undone: it asks for confirmation in a dialog.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { firstClick } from "./clicks.ts";

export function Confirm({
  label,
  name,
  question,
  yes,
  quiet = false,
  disabled = false,
  onYes,
}: {
  label: string;
  /** The button's name for screen readers, where its label alone does not tell. */
  name?: string;
  question: string;
  yes: string;
  quiet?: boolean;
  disabled?: boolean;
  onYes: () => void;
}) {
  const asking = useSignal(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const show = () => dialog.current?.open === false && dialog.current.showModal();
  useEffect(() => {
    if (asking.value) show();
  }, [asking.value]);
  return (
    <>
      <button
        type="button"
        class={quiet ? "plain danger" : "danger"}
        aria-label={name}
        disabled={disabled}
        onClick={() => {
          asking.value = true;
          show(); // pressed again before the browser has told of the closing
        }}
      >
        {label}
      </button>
      {asking.value && (
        <dialog
          ref={dialog}
          class="question"
          aria-label={question}
          onKeyDown={(event) => event.key === "Escape" && event.stopPropagation()} // it closes nothing else
          onClose={() => {
            asking.value = dialog.current?.open ?? false;
          }}
        >
          <p>{question}</p>
          <div class="actions">
            {/* First, so that the focus begins at the harmless answer. */}
            <button type="button" onClick={() => dialog.current?.close()}>
              Keep
            </button>
            <button
              type="button"
              class="danger"
              disabled={disabled}
              onClick={firstClick(() => {
                dialog.current?.close();
                onYes();
              })}
            >
              {yes}
            </button>
          </div>
        </dialog>
      )}
    </>
  );
}
