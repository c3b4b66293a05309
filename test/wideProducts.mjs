// Run by wide.test.ts, on one Node or another: prints what the engine says and bits of products.
import { engine, init, matmul, shutdown, tensor, transpose } from "../dist/index.js";

const { wide, threads } = JSON.parse(process.argv[2]);
await init({ wide, threads });
const numbers = (count) => Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 997) / 500);
const bits = [];
for (const [m, k, n] of [
  [130, 300, 70],
  [3, 600, 200],
  [1, 64, 1000],
]) {
  const a = tensor(numbers(m * k), { shape: [m, k] });
  const b = tensor(numbers(k * n), { shape: [k, n] });
  const right = tensor(numbers(k * n), { shape: [n, k] });
  for (const product of [matmul(a, b), matmul(a, transpose(right))]) {
    let hash = 0;
    for (const word of new Uint32Array((await product.data()).buffer)) {
      hash = (Math.imul(hash, 31) + word) >>> 0;
    }
    bits.push(hash);
  }
}
console.log(JSON.stringify({ info: engine().info(), bits }));
shutdown();
