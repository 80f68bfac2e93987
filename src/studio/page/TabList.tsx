// Tabs after the ARIA practices: one tab stop, arrow keys between them. The address stores the open tab.

export const tabs = [
  { id: "data", name: "Data" },
  { id: "train", name: "Train" },
  { id: "evaluate", name: "Evaluate" },
  { id: "recognize", name: "Recognize" },
  { id: "gpu", name: "This GPU" },
] as const;

export type Tab = (typeof tabs)[number]["id"];

export function tabFromAddress(): Tab {
  const named = location.hash.slice(1);
  return tabs.find(({ id }) => id === named)?.id ?? "data";
}

export function openTab(tab: Tab): void {
  location.hash = tab;
  document.getElementById(`tab-${tab}`)?.focus(); // the pressed button is gone with its tab
}

export function TabList({ chosen }: { chosen: Tab }) {
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ id }) => id === chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    openTab(tabs[(to + tabs.length) % tabs.length].id);
  };
  return (
    <div role="tablist" aria-label="Steps" class="tabs" onKeyDown={move}>
      {tabs.map(({ id, name }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${id}`}
          aria-selected={id === chosen}
          aria-controls={id === chosen ? `panel-${id}` : undefined}
          tabIndex={id === chosen ? 0 : -1}
          onClick={() => openTab(id)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
