export const growthRuns = async (_: any): Promise<any> => undefined
