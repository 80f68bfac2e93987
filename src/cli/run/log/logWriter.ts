// The entries of a training log, and the interface of its writers.

export interface LogEntry {
  step: number;
  epoch: number;
  /** The step's loss, including the L2 penalty. */
  loss?: number;
  /** The step's learning rate. */
  learningRate?: number;
  /** Metrics on held-out identities, at a checkpoint. */
  validation?: { loss: number; auc: number; eer: number };
  /** Unix time. */
  seconds: number;
}

export interface LogWriter {
  readonly path: string;
  write(entry: LogEntry): void;
  /** Unwritten data are kept for the next flush. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
