// The `shape` uniforms of a program's launches: all in one buffer, written once.
import type { Device } from "./device.ts";
import type { Shader } from "./shader.ts";

/** Alignment of uniform binding offsets: WebGPU's default limit, which every adapter supports. */
const alignment = 256;

interface Shaped {
  readonly shader: Shader;
  readonly constants: Readonly<Record<string, number>>;
}

/** Size of the buffer that `writeShapes` creates; 0 if no launch has a shape. */
export const shapeBytes = (launches: readonly Shaped[]): number => alignment * distinct(launches).size;

/** The range of each launch's shape; undefined for launches without one. */
export function writeShapes(
  device: Device,
  launches: readonly Shaped[],
  make: (name: string, bytes: number, kind: "uniform") => GPUBuffer,
): (GPUBufferBinding | undefined)[] {
  const shapes = distinct(launches);
  if (shapes.size === 0) return launches.map(() => undefined);
  const places = new Map([...shapes.keys()].map((key, i) => [key, i * alignment]));
  const bytes = new Uint8Array(alignment * shapes.size);
  for (const [key, values] of shapes) bytes.set(values, places.get(key));
  const buffer = make("shapes", bytes.byteLength, "uniform");
  device.write(buffer, 0, new Float32Array(bytes.buffer));
  return launches.map((launch) => {
    if (!launch.shader.shape) return undefined;
    const offset = places.get(keyOf(launch))!;
    return { buffer, offset, size: shapes.get(keyOf(launch))!.byteLength };
  });
}

const keyOf = ({ shader, constants }: Shaped): string =>
  JSON.stringify(shader.shape?.fields.map(({ name, type }) => [type, constants[name]]));

/** The bytes of each distinct shape. */
function distinct(launches: readonly Shaped[]): Map<string, Uint8Array> {
  const shapes = new Map<string, Uint8Array>();
  for (const launch of launches) if (launch.shader.shape) shapes.set(keyOf(launch), shapeOf(launch));
  return shapes;
}

/** The contents of the uniform in whole rows of 16 bytes, as required for a struct of numbers. */
export function shapeOf({ shader, constants }: Shaped): Uint8Array {
  const { fields } = shader.shape!;
  const view = new DataView(new ArrayBuffer(Math.ceil(fields.length / 4) * 16));
  fields.forEach(({ name, type }, i) => {
    if (type === "f32") view.setFloat32(4 * i, constants[name], true);
    else if (type === "i32") view.setInt32(4 * i, constants[name], true);
    else view.setUint32(4 * i, constants[name], true);
  });
  return new Uint8Array(view.buffer);
}
