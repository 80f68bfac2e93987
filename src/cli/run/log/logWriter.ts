// What a log is given, and what writes it in a form of its own.

export interface LogEntry {
  step: number;
  epoch: number;
  /** Of the step, the L2 penalty included. */
  loss?: number;
  /** Of the step. */
  learningRate?: number;
  /** On people held out of training, when there was a checkpoint. */
  validation?: { loss: number; auc: number; eer: number };
  /** Unix time. */
  seconds: number;
}

export interface LogWriter {
  readonly path: string;
  write(entry: LogEntry): void;
  /** What could not be written is kept for the next time. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
