// A request of the page to the worker: what it sends, and the answer.

export interface Request<In, Out> {
  readonly in: In;
  readonly out: Out;
}
