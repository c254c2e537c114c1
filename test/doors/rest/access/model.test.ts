import { accessModelCases } from './model-cases.ts';

accessModelCases('SQLite', 7, 6);
