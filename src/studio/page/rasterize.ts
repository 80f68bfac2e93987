// Rasterizes SVG, which only a page can do.

export async function rasterize(svg: string, side: number): Promise<ImageBitmap> {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image(side, side);
    image.src = url;
    await image.decode();
    return await createImageBitmap(image, { resizeWidth: side, resizeHeight: side, resizeQuality: "high" });
  } finally {
    URL.revokeObjectURL(url);
  }
}
