// The files of a file input. The input is cleared, so that the same files can be chosen again.

export function files(input: HTMLInputElement): { name: string; file: File }[] {
  const chosen = [...(input.files ?? [])].map((file) => ({ name: file.name, file }));
  input.value = "";
  return chosen;
}
