extension OperatorTable {
  /// Every operator of this module, in alphabetical order.
  public static let standard = OperatorTable([
    Cast.self,
    CastLike.self,
    Concat.self,
    Constant.self,
    ConstantOfShape.self,
    Expand.self,
    Gather.self,
    Identity.self,
    Reshape.self,
    ShapeOperator.self,
    Size.self,
    Slice.self,
    Squeeze.self,
    Transpose.self,
    Unsqueeze.self,
  ])
}
