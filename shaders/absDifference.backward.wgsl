// d loss / d a = gradient * sign(a - b), d loss / d b = -that; sign(0) = 0. Element i of the result belongs to pair
// element i % HALF; a second half is the gradient of b. SIGN -1 computes the gradient of b alone.
override COUNT: u32; // elements
override ROW: u32; // threads in one row of the grid
override HALF: u32;
override B_OFFSET: u32;
override SIGN: f32 = 1.0;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> input_gradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < COUNT) {
    let j = i % HALF;
    let direction = select(-SIGN, SIGN, i < HALF);
    let d = a[j] - b[j + B_OFFSET];
    let sign_ = select(select(d, 1.0, d > 0.0), -1.0, d < 0.0); // NaN for NaN, which sign() does not guarantee
    input_gradient[i] = direction * gradient[j] * sign_;
  }
}
