// Keyboard focus must not fall to the page when the focused control is disabled or removed by its own press: it goes to
// the control's successor, or to one nearby.
import { state } from "./client.ts";

interface Place {
  readonly element: HTMLElement;
  /** Its ancestors from the inside, each with the position of the child that holds the element. */
  readonly trail: readonly { readonly parent: Element; readonly index: number }[];
}

const focusable = "button:not(:disabled), input:not(:disabled), select:not(:disabled), summary, [tabindex='0']";

export function keepFocus(root: HTMLElement): void {
  let last: Place | undefined;
  root.addEventListener("focusin", ({ target }) => {
    last = placeOf(target as HTMLElement, root);
  });
  // Pressing the pointer elsewhere takes the focus away on purpose.
  addEventListener("pointerdown", ({ target }) => {
    if (!last?.element.contains(target as Node)) last = undefined;
  });
  new MutationObserver(() => {
    if (!last || state.activity.value) return; // controls are enabled again when the work is done
    const { element } = last;
    const active = document.activeElement;
    if (active && active !== document.body && active !== element) return;
    const gone = !element.isConnected;
    if (!gone && !element.matches(":disabled")) {
      if (active !== element) element.focus();
      return;
    }
    (gone ? successor(last) : neighbor(element))?.focus();
  }).observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
}

function placeOf(element: HTMLElement, root: HTMLElement): Place {
  const trail: { parent: Element; index: number }[] = [];
  for (let child: Element = element; child !== root && child.parentElement; child = child.parentElement) {
    const parent = child.parentElement;
    trail.push({ parent, index: [...parent.children].indexOf(child) });
  }
  return { element, trail };
}

const within = (parent: Element) =>
  [...parent.querySelectorAll<HTMLElement>(focusable)].filter((one) => one.tabIndex >= 0 && one.checkVisibility());

/** What stands in the place of a removed element, such as the next picture's button. */
function successor({ element, trail }: Place): HTMLElement | undefined {
  for (const { parent, index } of trail) {
    if (!parent.isConnected) continue;
    const { children } = parent;
    const next = children[Math.min(index, children.length - 1)];
    const candidates = next ? within(next) : [];
    const alike = candidates.find((one) => one.className === element.className && one.tagName === element.tagName);
    const found = alike ?? candidates[0] ?? within(parent)[0];
    if (found) return found;
  }
  return undefined;
}

/** The nearest control after a disabled one in its section, or else before it. */
function neighbor(element: HTMLElement): HTMLElement | undefined {
  const all = within(element.closest("section") ?? document.body);
  const after = (one: Element) => element.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  return all.find(after) ?? all.findLast((one) => !after(one));
}
