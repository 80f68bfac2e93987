// Double-clicks on buttons whose place another one takes.

/** Ignores the second click of a double-click, which may hit what has moved under the pointer. */
export const firstClick = (work: () => void) => (event: MouseEvent) => {
  if (event.detail <= 1) work(); // 0 from the keyboard
};
