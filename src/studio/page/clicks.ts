// Buttons that are pressed twice.
import { type ReadonlySignal, useSignal } from "@preact/signals";

/** Ignores the second click of a double-click, which may hit what has moved under the pointer. */
export const firstClick = (work: () => void) => (event: MouseEvent) => {
  if (event.detail <= 1) work(); // 0 from the keyboard
};

/** Runs work unless it is under way, so that a second press before the worker's answer is ignored; tells whether it is. */
export function useOnce(): { busy: ReadonlySignal<boolean>; once: (work: () => Promise<unknown>) => Promise<void> } {
  const busy = useSignal(false);
  const once = async (work: () => Promise<unknown>) => {
    if (busy.value) return;
    busy.value = true;
    try {
      await work();
    } finally {
      busy.value = false;
    }
  };
  return { busy, once };
}
