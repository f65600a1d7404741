public enum ObjectStorePlaceholder {}
