// A small picture of the dataset. The worker makes it; the page caches the last ones shown.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { request } from "../client.ts";

const kept = new Map<string, Promise<string>>();
const mostKept = 500;

function addressOf(picture: string): Promise<string> {
  const known = kept.get(picture);
  if (known) {
    kept.delete(picture);
    kept.set(picture, known); // now the most recently used
    return known;
  }
  const made = request("data.thumbnail", { picture }).then((blob) => URL.createObjectURL(blob));
  kept.set(picture, made);
  made.catch(() => kept.delete(picture));
  for (const [oldest, address] of kept) {
    if (kept.size <= mostKept) break;
    kept.delete(oldest);
    address.then(URL.revokeObjectURL).catch(() => undefined);
  }
  return made;
}

/** Called after all pictures were deleted. */
export function forgetThumbnails(): void {
  for (const address of kept.values()) address.then(URL.revokeObjectURL).catch(() => undefined);
  kept.clear();
}

/** @param name alternative text; empty where text beside it says the same. */
export function Thumbnail({ picture, name }: { picture: string; name: string }) {
  const address = useSignal<string | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    addressOf(picture).then(
      (found) => {
        if (wanted) address.value = found;
      },
      () => undefined, // it was removed in the meantime
    );
    return () => {
      wanted = false;
    };
  }, [picture, address]);
  if (!address.value) return <span class="thumb" />;
  return <img class="thumb" src={address.value} alt={name} width={96} height={96} draggable={false} />;
}
