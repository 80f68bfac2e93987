// What a file input has; it is emptied, so that the same files can be chosen again.

export function files(input: HTMLInputElement): { name: string; file: File }[] {
  const chosen = [...(input.files ?? [])].map((file) => ({ name: file.name, file }));
  input.value = "";
  return chosen;
}
