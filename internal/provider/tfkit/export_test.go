package tfkit

// GeneratedName is generatedName, for a test of its results.
var GeneratedName = generatedName
