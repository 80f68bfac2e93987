// Offers a file for download, from memory.

export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(/[\\/:*?"<>|\p{Cc}]/gu, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it in the meantime
}
