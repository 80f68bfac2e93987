// The frame of the page: title, status line, tabs, and the chosen tab's content.
import { signal, useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { DataTab } from "../tabs/data/DataTab.tsx";
import { state, trouble } from "./client.ts";
import { pageState, spoken } from "./status.ts";
import { type Tab, TabList, tabFromAddress } from "./TabList.tsx";
import { ThemeButton } from "./ThemeButton.tsx";

/** Each tab but the first is loaded when it is first opened. */
const loaders: Readonly<Record<Tab, () => Promise<ComponentType>>> = {
  data: async () => DataTab,
  train: async () => (await import("../tabs/train/TrainTab.tsx")).TrainTab,
  evaluate: async () => (await import("../tabs/evaluate/EvaluateTab.tsx")).EvaluateTab,
  recognize: async () => (await import("../tabs/recognize/RecognizeTab.tsx")).RecognizeTab,
  gpu: async () => (await import("../tabs/gpu/GpuTab.tsx")).GpuTab,
};

export function App() {
  const chosen = useSignal<Tab>(tabFromAddress());
  useEffect(() => {
    const follow = () => {
      chosen.value = tabFromAddress();
      trouble.value = null; // of the tab that was left
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [chosen]);
  return (
    <>
      <header class="frame-header">
        <div class="frame-title">
          <h1>twingrad studio</h1>
          <p class="promise">Train face recognition on your own machine. Your pictures never leave it.</p>
        </div>
        <ThemeButton />
        <p class={`status status-${pageState.value}`} role="status">
          {spoken.value}
        </p>
        <TabList chosen={chosen.value} />
      </header>
      <main>
        <Trouble />
        <Repaired />
        <FailedDevice />
        <Panel tab={chosen.value} />
      </main>
      <footer class="frame-footer">
        <DeviceLine />
      </footer>
    </>
  );
}

function Panel({ tab }: { tab: Tab }) {
  const shown = useSignal<{ tab: Tab; Content: ComponentType } | null>(
    tab === "data" ? { tab, Content: DataTab } : null,
  );
  useEffect(() => {
    let wanted = true;
    loaders[tab]().then(
      (Content) => {
        if (wanted) shown.value = { tab, Content };
      },
      () => {
        trouble.value = "This tab could not be loaded. Reload the page.";
      },
    );
    return () => {
      wanted = false;
    };
  }, [tab, shown]);
  const Content = shown.value?.tab === tab ? shown.value.Content : undefined;
  const device = state.device.value;
  return (
    <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`} class="panel">
      {device.status === "missing" ? (
        <MissingDevice reason={device.reason} />
      ) : device.status === "elsewhere" ? (
        <section class="card">
          <h2>The studio is open in another tab</h2>
          <p class="measure">
            One tab at a time uses the stored pictures, runs and models. Close the other tab to continue here; nothing
            is lost.
          </p>
        </section>
      ) : Content ? (
        <Content />
      ) : (
        <p class="quiet">Loading …</p>
      )}
    </div>
  );
}

/** Shown instead of every tab where WebGPU is missing. */
const loadNoGpu = async () => (await import("./noGpu/NoGpu.tsx")).NoGpu;

function MissingDevice({ reason }: { reason: string }) {
  const shown = useSignal<{ Content: Awaited<ReturnType<typeof loadNoGpu>> } | null>(null);
  useEffect(() => {
    loadNoGpu().then((Content) => {
      shown.value = { Content };
    });
  }, [shown]);
  return shown.value && <shown.value.Content reason={reason} />;
}

function FailedDevice() {
  const device = state.device.value;
  if (device.status !== "failed") return null;
  return (
    <p class="notice notice-bad" role="alert">
      {device.reason}
    </p>
  );
}

function Trouble() {
  if (trouble.value === null) return null;
  return (
    <div class="notice notice-bad" role="alert">
      <p>{trouble.value}</p>
      <button
        type="button"
        class="plain"
        onClick={() => {
          trouble.value = null;
        }}
      >
        Dismiss
      </button>
    </div>
  );
}

/** How many of the repairs were dismissed. */
const dismissed = signal(0);

/** What was found damaged in the storage, and what became of it. */
function Repaired() {
  const { repaired } = state.storage.value;
  if (repaired.length <= dismissed.value) return null;
  return (
    <div class="notice notice-bad" role="alert">
      {repaired.slice(dismissed.value).map((what) => (
        <p key={what}>{what}</p>
      ))}
      <button
        type="button"
        class="plain"
        onClick={() => {
          dismissed.value = repaired.length;
        }}
      >
        Dismiss
      </button>
    </div>
  );
}

function DeviceLine() {
  const device = state.device.value;
  if (device.status !== "ready") return null;
  return <p class="quiet">Computes on {device.name}</p>;
}
