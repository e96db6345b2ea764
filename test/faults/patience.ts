/** Stretches every bound, for a machine that is busy with other things. */
export const patience = Number(process.env["FAULT_PATIENCE"] ?? "1");
