/** Finite numbers by name; `default` is the one that NNI optimises. */
export type Metrics = { readonly default: number } & Readonly<Record<string, number>>;
