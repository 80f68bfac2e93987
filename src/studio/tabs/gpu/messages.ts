// Messages of the This GPU tab.
import type { Request } from "../../request.ts";

export interface GpuDescription {
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string };
  readonly software: boolean;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

export interface BenchmarkStep {
  readonly name: string;
  readonly description: string;
  /** Median of this many steps. */
  readonly milliseconds: number;
  readonly steps: number;
  /** Billions of operations per second, counting convolutions and matrix products only. */
  readonly gflops: number;
  /** Share of the adapter's peak, measured with multiply-adds in registers. */
  readonly shareOfPeak: number;
  /** GPU time of each kernel, the longest first; null where the adapter has no timestamp queries. */
  readonly kernels: readonly BenchmarkKernel[] | null;
}

export interface BenchmarkKernel {
  readonly name: string;
  readonly launches: number;
  readonly milliseconds: number;
  /** Share of the step's GPU time. */
  readonly share: number;
  /** Null for memory-bound kernels. */
  readonly shareOfPeak: number | null;
}

export interface BenchmarkCheck {
  readonly name: string;
  /** Relative error against float64 on the host. */
  readonly error: number;
  readonly allowed: number;
}

export interface Benchmark {
  readonly date: string;
  readonly browser: string;
  readonly gpu: GpuDescription;
  readonly seconds: number;
  readonly correct: boolean;
  readonly checks: readonly BenchmarkCheck[];
  /** Billions of multiply-adds per second, each counted as two operations. */
  readonly peakGflops: number | null;
  readonly steps: readonly BenchmarkStep[];
  /** Steps that were skipped for lack of time. */
  readonly left: readonly string[];
}

export interface GpuRequests {
  "gpu.describe": Request<Record<string, never>, GpuDescription>;
  /** Takes at most two minutes. Rejects when canceled. */
  "gpu.benchmark": Request<Record<string, never>, Benchmark>;
  "gpu.cancel": Request<Record<string, never>, void>;
}
