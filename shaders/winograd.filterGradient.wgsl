// G' P G for each pair of channels: the 3 x 3 filter gradient from the sums P over tiles of Winograd F(2x2, 3x3), the
// adjoint of winograd.filter. product is [16, I, O], filter_gradient [3, 3, I, O].
override COUNT: u32; // threads: vec4s of I * O
override ROW: u32; // threads in one row of the grid

@group(0) @binding(0) var<storage, read> product: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> filter_gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= COUNT) {
    return;
  }
  let d00 = product[i];
  let d01 = product[i + COUNT];
  let d02 = product[i + 2u * COUNT];
  let d03 = product[i + 3u * COUNT];
  let d10 = product[i + 4u * COUNT];
  let d11 = product[i + 5u * COUNT];
  let d12 = product[i + 6u * COUNT];
  let d13 = product[i + 7u * COUNT];
  let d20 = product[i + 8u * COUNT];
  let d21 = product[i + 9u * COUNT];
  let d22 = product[i + 10u * COUNT];
  let d23 = product[i + 11u * COUNT];
  let d30 = product[i + 12u * COUNT];
  let d31 = product[i + 13u * COUNT];
  let d32 = product[i + 14u * COUNT];
  let d33 = product[i + 15u * COUNT];
  // Each column by G', then each row by G.
  let e00 = d00 + 0.5 * (d10 + d20);
  let e10 = 0.5 * (d10 - d20);
  let e20 = d30 + 0.5 * (d10 + d20);
  let e01 = d01 + 0.5 * (d11 + d21);
  let e11 = 0.5 * (d11 - d21);
  let e21 = d31 + 0.5 * (d11 + d21);
  let e02 = d02 + 0.5 * (d12 + d22);
  let e12 = 0.5 * (d12 - d22);
  let e22 = d32 + 0.5 * (d12 + d22);
  let e03 = d03 + 0.5 * (d13 + d23);
  let e13 = 0.5 * (d13 - d23);
  let e23 = d33 + 0.5 * (d13 + d23);
  filter_gradient[i] = e00 + 0.5 * (e01 + e02);
  filter_gradient[i + COUNT] = 0.5 * (e01 - e02);
  filter_gradient[i + 2u * COUNT] = e03 + 0.5 * (e01 + e02);
  filter_gradient[i + 3u * COUNT] = e10 + 0.5 * (e11 + e12);
  filter_gradient[i + 4u * COUNT] = 0.5 * (e11 - e12);
  filter_gradient[i + 5u * COUNT] = e13 + 0.5 * (e11 + e12);
  filter_gradient[i + 6u * COUNT] = e20 + 0.5 * (e21 + e22);
  filter_gradient[i + 7u * COUNT] = 0.5 * (e21 - e22);
  filter_gradient[i + 8u * COUNT] = e23 + 0.5 * (e21 + e22);
}
