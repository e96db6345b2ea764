/**
 * The connection, source and control plane of what is decided here. The plane is none of the clouds', so that the
 * provider's work is no part of any tenant's coverage, and no other connection may take these names.
 */
export const ownConnection = { name: "isochron", source: "isochron", controlPlane: "isochron" } as const;
