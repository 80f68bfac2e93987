// Builds an ONNX graph: nodes, weights, and the shape of every value, which is written to the file as well.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./schema/onnx_pb.ts";

export { DataType };

/** A dimension: a number, or the name of a dynamic one. */
export type Extent = number | string;

export interface Value {
  readonly name: string;
  readonly shape: readonly Extent[];
  readonly type: DataType;
}

export type Attributes = Readonly<Record<string, number | readonly number[] | { readonly float: number }>>;

/** The IR version of each opset. */
const irVersions: Readonly<Record<number, number>> = { 17: 8, 18: 8, 19: 9, 20: 9, 21: 10 };
export const opsets = Object.keys(irVersions).map(Number);

export class OnnxGraph {
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  private readonly nodes: NodeProto[] = [];
  private readonly initializers: TensorProto[] = [];
  private readonly between: Value[] = [];
  private readonly names = new Set<string>();

  input(name: string, shape: readonly Extent[], type = DataType.FLOAT): Value {
    const value = { name: this.unique(name), shape, type };
    this.inputs.push(value);
    return value;
  }

  constant(name: string, shape: readonly number[], values: ArrayLike<number>): Value {
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    return this.initializer(name, shape, DataType.FLOAT, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** A constant of integers, for axes and shapes. */
  integers(name: string, values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.initializer(name, [values.length], DataType.INT64, new Uint8Array(data.buffer));
  }

  /** Appends a node with one output of this shape. */
  node(
    operator: string,
    inputs: readonly Value[],
    shape: readonly Extent[],
    options: { readonly attributes?: Attributes; readonly type?: DataType; readonly name?: string } = {},
  ): Value {
    return this.nodeOf(operator, inputs, [{ shape, type: options.type }], options)[0];
  }

  nodeOf(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly { readonly shape: readonly Extent[]; readonly type?: DataType }[],
    {
      attributes = {},
      name = operator.toLowerCase(),
    }: { readonly attributes?: Attributes; readonly name?: string } = {},
  ): Value[] {
    const values = outputs.map(({ shape, type = DataType.FLOAT }) => ({ name: this.unique(name), shape, type }));
    this.nodes.push(
      create(NodeProtoSchema, {
        name: `${values[0].name}/${operator}`,
        opType: operator,
        input: inputs.map((input) => input.name),
        output: values.map((value) => value.name),
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      }),
    );
    this.between.push(...values);
    return values;
  }

  /** Makes a value an output of the graph, under this name. */
  output(value: Value, name: string): void {
    const given = this.node("Identity", [value], value.shape, { name, type: value.type });
    this.between.pop(); // the graph's outputs have their own shapes
    this.outputs.push(given);
  }

  /** The bytes of the file. */
  toBytes(
    about: { readonly name: string; readonly description: string; readonly version: string; readonly opset: number },
    metadata: Readonly<Record<string, string>>,
  ): Uint8Array {
    const { name, description, version, opset } = about;
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(irVersions[opset]),
      producerName: "twingrad",
      producerVersion: version,
      docString: description,
      opsetImport: [{ domain: "", version: BigInt(opset) }],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name,
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs.map(valueInfo),
        output: this.outputs.map(valueInfo),
        valueInfo: this.between.map(valueInfo),
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  private initializer(hint: string, shape: readonly number[], type: DataType, rawData: Uint8Array): Value {
    const name = this.unique(hint);
    const dims = shape.map(BigInt);
    this.initializers.push(create(TensorProtoSchema, { name, dims, dataType: type, rawData: rawData.slice() }));
    return { name, shape, type };
  }

  private unique(hint: string): string {
    let name = hint;
    for (let n = 2; this.names.has(name); n++) name = `${hint}_${n}`;
    this.names.add(name);
    return name;
  }
}

function attribute(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === "number")
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  if ("float" in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

function valueInfo({ name, shape, type }: Value): ValueInfoProto {
  const dim = shape.map((extent) =>
    typeof extent === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(extent) } }
      : { value: { case: "dimParam" as const, value: extent } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: type, shape: { dim } } } },
  });
}
