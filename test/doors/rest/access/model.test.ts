import { accessModelCases } from './model-cases.ts';

accessModelCases('SQLite', 11, 6);
