// A picture from a file in memory; a placeholder until it is loaded.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { request } from "./client.ts";

export function FilePicture({ file, name }: { file: Blob | null; name: string }) {
  const shown = useSignal<Blob | null>(null);
  const url = useSignal<string | null>(null);
  useEffect(() => {
    shown.value = file;
  }, [file, shown]);
  useEffect(() => {
    if (!shown.value) return;
    const made = URL.createObjectURL(shown.value);
    url.value = made;
    return () => URL.revokeObjectURL(made);
  }, [shown.value, url]);
  /** The browser cannot show it: perhaps the worker's decoders can, which know Netpbm as well. */
  const decode = async () => {
    if (!file || shown.value !== file) return;
    url.value = null;
    const found = await request("data.thumbnailOf", { file }).catch(() => null); // it is no picture, as enrolling it will say
    if (found && shown.value === file) shown.value = found;
  };
  if (!url.value) return <span class="thumb" role="img" aria-label={name} />;
  return <img class="thumb" src={url.value} alt={name} onError={decode} />;
}
