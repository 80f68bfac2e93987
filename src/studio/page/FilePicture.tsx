// A picture from a file in memory; a placeholder until it is loaded.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export function FilePicture({ file, name }: { file: Blob | null; name: string }) {
  const url = useSignal<string | null>(null);
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    url.value = made;
    return () => URL.revokeObjectURL(made);
  }, [file, url]);
  return url.value ? <img class="thumb" src={url.value} alt={name} /> : <span class="thumb" />;
}
