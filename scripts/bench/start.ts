export const startRuns = async (_: any): Promise<any> => undefined
