// Pagination, so that thousands of items cost no more than a few.
import type { Signal } from "@preact/signals";

export function Pages({
  page,
  total,
  size,
  what,
}: {
  page: Signal<number>;
  total: number;
  size: number;
  what: string;
}) {
  const pages = Math.ceil(total / size);
  if (pages < 2) return null;
  const at = Math.min(page.value, pages - 1);
  const go = (to: number) => () => {
    page.value = to;
  };
  return (
    <nav class="actions" aria-label={`Pages of ${what}`}>
      <button type="button" disabled={at === 0} onClick={go(at - 1)}>
        Previous
      </button>
      <span class="quiet">
        {at * size + 1} to {Math.min(total, (at + 1) * size)} of {total} {what}
      </span>
      <button type="button" disabled={at === pages - 1} onClick={go(at + 1)}>
        Next
      </button>
    </nav>
  );
}

/** The items on the page. */
export function onPage<T>(items: readonly T[], page: number, size: number): readonly T[] {
  const at = Math.min(page, Math.max(0, Math.ceil(items.length / size) - 1));
  return items.slice(at * size, (at + 1) * size);
}
