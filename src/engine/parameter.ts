import type { Tensor } from './ops.ts';

/** One trained tensor with its optimizer slots. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay applies: weights of two and more dimensions only. */
  readonly decayed: boolean;
  /** Never changed in place: an update puts a new tensor here. Owned by the parameter. */
  value: Tensor;
  /** In the order of `Optimizer.slots`; empty until the first step that trains this parameter. */
  slots: readonly Tensor[];
}
