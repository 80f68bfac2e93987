// A button for actions that cannot be undone: it asks for confirmation in its own place.
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
  const own = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  // The focus follows: to the harmless answer, and back.
  useEffect(() => {
    if (asking.value || asked.current) own.current?.focus();
    asked.current = asking.value;
  }, [asking.value]);
  const ask = (value: boolean) => () => {
    asking.value = value;
  };
  if (!asking.value) {
    return (
      <button
        type="button"
        ref={own}
        class={quiet ? "plain danger" : "danger"}
        aria-label={name}
        disabled={disabled}
        onClick={ask(true)}
      >
        {label}
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <span class="actions" role="group" aria-label={question}>
      <span>{question}</span>
      <button
        type="button"
        class="danger"
        disabled={disabled}
        onClick={firstClick(() => {
          asking.value = false;
          onYes();
        })}
      >
        {yes}
      </button>
      <button type="button" ref={own} onClick={ask(false)}>
        Keep
      </button>
    </span>
  );
}
