// Trains in a worker, so that the page stays responsive.
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => {
  document.body.textContent = `On ${data.identities} held-out identities: accuracy ${data.accuracy.toFixed(3)}.`;
};
