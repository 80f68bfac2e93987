// A button that asks for one file.
import { useRef } from "preact/hooks";
import { files } from "./files.ts";

interface Props {
  readonly name: string;
  readonly accept: string;
  readonly take: (file: File) => void;
  readonly disabled?: boolean;
}

export function FileButton({ name, accept, take, disabled }: Props) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" disabled={disabled} onClick={() => input.current?.click()}>
        {name}
      </button>
      <input
        ref={input}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-label={`${name}: file`}
        accept={accept}
        onChange={({ currentTarget }) => {
          const [chosen] = files(currentTarget);
          if (chosen) take(chosen.file);
        }}
      />
    </>
  );
}
